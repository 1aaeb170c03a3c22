"""Language models behind ports: embeddings, and what is asked of a chat model. Nothing here knows how a search goes."""
