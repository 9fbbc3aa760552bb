"""The process that owns a device: it runs the plans of jobs and tells the server what happens."""
