"""Resources that are read from the rows of another one."""
