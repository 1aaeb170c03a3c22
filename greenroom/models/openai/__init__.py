"""Models behind the OpenAI API: embeddings, understanding a sentence, choosing among places."""
