"""Tables of a warehouse held against the columns that a load writes."""
