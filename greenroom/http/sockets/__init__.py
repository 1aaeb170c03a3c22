"""The WebSocket: the events of the stream, and commands with replies, over one connection."""

from greenroom.http.sockets.endpoint import PATH, SocketEndpoint

__all__ = ["PATH", "SocketEndpoint"]
