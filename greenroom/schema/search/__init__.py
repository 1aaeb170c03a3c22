"""What the search for instructors deals in: the sentence as understood, places, candidates, answers, and how it went."""
