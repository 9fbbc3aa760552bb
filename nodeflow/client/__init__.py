"""The client: hands work to a server and watches it. Knows HTTP and JSON, and no engine."""
