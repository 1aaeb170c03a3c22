"""What the demo's people said to each other, and the lessons they agreed on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from greenroom.demo.people import INSTRUCTOR_EMAIL, STUDENT_EMAIL


@dataclass(frozen=True, slots=True)
class Talk:
    """Lines by student ("s") and instructor ("i"), with hours since the line before."""

    student: str
    instructor: str
    begins: timedelta
    lines: tuple[tuple[str, float, str], ...]
    student_has_read: bool = True
    instructor_has_read: bool = True


TALKS: Final = (
    Talk(
        STUDENT_EMAIL,
        INSTRUCTOR_EMAIL,
        timedelta(hours=2),
        (
            (
                "s",
                0,
                "Hi Tomás! My son Elias is eight and has been picking out songs on a toy keyboard. Do you take beginners that age?",
            ),
            (
                "i",
                1.2,
                "Hello Maya, I do, most of my Saturday students are between seven and ten. Does he read any notes yet?",
            ),
            ("s", 0.4, "Not one. He plays by ear and gets cross when it sounds wrong."),
            ("i", 0.1, "Then he has the harder half already. We'd start with that and let the notes follow."),
            ("s", 20, "That sounds right for him. Would a Saturday morning work, somewhere near Park Slope?"),
            (
                "i",
                2.5,
                "Saturday 10:00 is free from next week. I can come to you, there's no need for a real piano at first.",
            ),
            ("s", 0.6, "10:00 is perfect. I'll talk to Elias tonight, he'll want to show you the Star Wars tune."),
            ("i", 40, "Tell him I expect the left hand too. See you both on Saturday!"),
            ("i", 0.05, "One more thing: please find him a chair he can sit high on. Two cushions also count."),
        ),
        student_has_read=False,
    ),
    Talk(
        STUDENT_EMAIL,
        "yuki@example.com",
        timedelta(hours=30),
        (
            (
                "s",
                0,
                "Hello! I'm travelling to Kyoto in spring and would love to manage more than pointing at menus.",
            ),
            ("i", 3, "Hello Maya! Spring gives us time. Have you studied any Japanese before?"),
            ("s", 5, "Two semesters, fifteen years ago. I remember hiragana and shame."),
            ("i", 1, "Hiragana is more than most. The shame we can work on."),
        ),
    ),
    Talk(
        "daniel@example.com",
        INSTRUCTOR_EMAIL,
        timedelta(hours=50),
        (
            (
                "s",
                0,
                "Hi, I play a bit of jazz guitar and want to understand chords from the keyboard side. Is your jazz class too much for me?",
            ),
            ("i", 4, "Not if you can name the notes of a G7. Can you?"),
            ("s", 0.3, "G B D F. I had to think, though."),
            ("i", 0.2, "Thinking is allowed. Bring a tune you like."),
            ("s", 22, "I'll bring Autumn Leaves, like everybody does."),
        ),
        instructor_has_read=False,
    ),
    Talk(
        "sofia@example.com",
        "kwame@example.com",
        timedelta(hours=12),
        (
            ("s", 0, "My daughter has an algebra exam in three weeks. Is there any hope?"),
            ("i", 2, "Three weeks is plenty. What did the last test look like?"),
            ("s", 1, "Red, mostly."),
            ("i", 0.5, "Red is information. Send me a photo of it and we'll start there."),
        ),
    ),
    Talk(
        "jonas@example.com",
        "luca@example.com",
        timedelta(hours=70),
        (
            ("s", 0, "I'm 41 and can't swim. There, I've said it."),
            ("i", 0.7, "Then you're my favourite kind of student. The pool is empty on Tuesday evenings."),
        ),
    ),
    Talk(
        STUDENT_EMAIL,
        "amara@example.com",
        timedelta(hours=90),
        (("s", 0, "Hello Amara, do you also teach people who were told not to sing in the school choir?"),),
    ),
)


@dataclass(frozen=True, slots=True)
class Lesson:
    """A lesson that was agreed on in a talk.

    Attributes:
        booked: when, since the beginning of the history.
        begins: counted from the day the demo is made, at 10:00 in New York; so is ``moved_to``.
        weekday: it begins on the first such day (0 is Monday) from then on; None for on that day.
    """

    student: str
    instructor: str
    service: str
    booked: timedelta
    begins: timedelta
    minutes: int
    note: str | None = None
    moved_to: timedelta | None = None
    is_called_off: bool = False
    weekday: int | None = None


TUESDAY: Final = 1
SATURDAY: Final = 5

LESSONS: Final = (
    Lesson(
        STUDENT_EMAIL,
        INSTRUCTOR_EMAIL,
        "Piano for children",
        timedelta(hours=27),
        timedelta(days=2),
        45,
        note="For Elias, eight, who plays by ear.",
        weekday=SATURDAY,
    ),
    Lesson(
        STUDENT_EMAIL,
        INSTRUCTOR_EMAIL,
        "Piano for children",
        timedelta(hours=27.1),
        timedelta(days=9),
        45,
        weekday=SATURDAY,
    ),
    Lesson(
        STUDENT_EMAIL,
        "yuki@example.com",
        "Japanese conversation",
        timedelta(hours=40),
        timedelta(days=2),
        60,
        moved_to=timedelta(days=3, hours=8),
    ),
    Lesson(
        "daniel@example.com",
        INSTRUCTOR_EMAIL,
        "Jazz piano",
        timedelta(hours=77),
        timedelta(days=3, hours=6),
        60,
        weekday=TUESDAY,
    ),
    Lesson(
        "sofia@example.com",
        "kwame@example.com",
        "Algebra and calculus",
        timedelta(hours=16),
        timedelta(days=2, hours=6),
        90,
    ),
    Lesson(
        "jonas@example.com",
        "luca@example.com",
        "Swimming for adults",
        timedelta(hours=71),
        timedelta(days=3),
        45,
        is_called_off=True,
    ),
)
