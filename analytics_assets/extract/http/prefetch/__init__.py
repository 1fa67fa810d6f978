"""Pages requested ahead of time: in threads, or over connections kept busy by libcurl."""
