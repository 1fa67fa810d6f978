"""Contacts, companies and deals of HubSpot."""
