"""The demo marketplace: a few people with history that looks lived in, and a crowd of invented instructors to search among."""

from __future__ import annotations

from greenroom.demo.people import INSTRUCTOR_EMAIL, OPERATOR_EMAIL, PASSWORD, STUDENT_EMAIL
from greenroom.demo.seeding import CROWD, seed_demo

__all__ = ["CROWD", "INSTRUCTOR_EMAIL", "OPERATOR_EMAIL", "PASSWORD", "STUDENT_EMAIL", "seed_demo"]
