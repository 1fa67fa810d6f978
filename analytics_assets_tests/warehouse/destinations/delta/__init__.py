"""Delta tables in a folder or a bucket, as dlt's destination `filesystem` writes them."""
