"""What finding services means, whoever stores them: the rules that Postgres and its twin share. All of it is pure."""
