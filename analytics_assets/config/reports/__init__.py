"""Reports as resources: templates of their entries, and the quality of their answers."""
