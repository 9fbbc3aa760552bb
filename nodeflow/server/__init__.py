"""The server: HTTP, WebSocket, the queue and its workers. aiohttp is used here only."""
