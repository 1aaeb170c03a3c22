"""What the server does: sign-in, conversations, the committer, users' streams, presence. Actors own every decision."""
