"""dlt's destinations, with the capabilities that they have here."""
