import pytest

# Helpers that assert on behalf of tests explain themselves as tests do.
pytest.register_assert_rewrite("tests.supervisor.conformance.rehearsal", "tests.supervisor.conformance.stage")
