"""What a search does, by the names that diagnostics have for it: a module for each stage, put in order by the pipeline."""
