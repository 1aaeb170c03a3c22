"""The operations of the API, one module per part of it."""
