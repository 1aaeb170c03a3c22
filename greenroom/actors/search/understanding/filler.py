"""Words around a request that tell nothing about the lesson itself."""

from __future__ import annotations

from typing import Final

from greenroom.actors.search.understanding.words import word_set

FILLER: Final = word_set("""
    a about accepting actually affordable after again ago all allowed also am an and another any anybody anyone anything are area around as
    ask at available availability away
    be because become been before begin beginning being best better book booking bookings both but buy by
    can cannot cant cheap cheaper cheapest city class classes close cool cost costs could course courses currently
    day days decent deep did didnt do does doesnt doing done dont down during
    each early either even ever everything excellent exclusively experienced expensive extra
    far few find finding fine first five focus focused for free friendly from fun
    get getting gets give gives giving go going good got great guy guys
    had half happy has have having he hello help helps her here hes hey hi him himself his hopefully hour hourly hours how
    i id if ill im immediately in inexpensive instruct instruction instructional instructor instructors intensive interested into
    is isnt it its ive
    join just keen kind know knows
    lady later least learn learned learning less lesson lessons let lets level levels like lil little local located location long
    look looking looks lot lots love loves low lower
    make makes man many max may maybe me mine more most much must my
    name near nearby need needed needing needs neighborhood neighbourhood never new next nice no non not nothing now
    of off offer offered offering offers ok okay old older on once one ones only open option options or other others our out over own
    package packages pay per person place play playing please pls plus plz prefer preferably preferred price priced prices pricing
    private professional program programme provide provides put
    qualified quick quickly quite
    rate rates rather reasonable reasonably really recommend recommendation recommendations recommended regular regularly required right
    school search searching see since seek seeking rising semi serious sharp coming session sessions several she shes should show slot slots small so some
    somebody someone something somewhere soon spot start started starting starts still studio studios style sub such suggest sure
    take taking taught teach teacher teachers teaches teaching than thank thanks that thats the their them then there these they
    thing things this those through thx time times to together too top trial try trying tuition two type
    under unless until up upcoming us use using usually
    very via
    w wanna want wanted wanting wants was way we week weekly weeks welcome well were weve what whats when where which while who whoever
    whom whos why wife will willing with within without wondering work workshop workshops would wont
    year years yes you young younger your youre
    son sons daughter daughters husband boyfriend girlfriend mom mum mother dad father grandma grandpa grandmother grandfather
    grandson granddaughter brother sister niece nephew boy boys girl girls family myself yo bro sis hubby couple couples somone sombody someon anyon teech lern
    anywhere everyone everybody ideally twins gran granny nan nana grandad granddad grandparents
    clase clases cours lecon lecons de en para
    leson lesons lessions lession lessn lessns lessonss lesssons lesosn lessosn techer techers teachr teachrs teahcer teahcers teecher teechers
    teachar teachars teacer teacers tacher tachers taecher taechers teachre instructer instructers intructor intructors instuctor instuctors instrutor
    instrutors tuter tuters tutr tutrs tutur tuturs classs classess
    """)
"""Left out of the words for the lesson, unless they are part of a name of one ("home repair", "learn to swim")."""

SOFT_FILLER: Final = word_set("""
    tutor tutors tutoring tutorial tutorials coach coaches coaching trainer trainers training trainings lecture lectures practice
    practicing prep preparation study studying improve improving student students pro expert experts specialist
    """)
"""Left out when other words name the lesson."""

NEGATORS: Final = word_set(
    "not no non without except excepting excluding exclude barring minus avoid avoiding dont doesnt isnt arent cant cannot wont never nor "
    "neither nothing"
)

EXCEPTING: Final = word_set("except excepting excluding exclude barring minus but bar from for than")
"""The last word of what takes something out of a whole: these hold for all of a list, "except bushwick and in dumbo"."""

PLACE_NEGATORS: Final = word_set("unable refuse hate nowhere")
"""Before a place they say that it must not be there; before anything else they say nothing of it: "I hate math" asks for math."""

VERB_NEGATORS: Final = word_set("dont doesnt cant cannot wont never")
NEGATED_VERBS: Final = word_set("can could do does did will would")
WISHES: Final = word_set("want wanted need like")
"""Whom "don't" or "can't" stands before says what is wanted only with one of these: "can't swim" asks for swimming."""

NEGATOR_PAIRS: Final = frozenset(
    {
        ("but", "not"),
        ("other", "than"),
        ("rather", "than"),
        ("instead", "of"),
        ("anything", "but"),
        ("everything", "but"),
        ("anywhere", "but"),
        ("everywhere", "but"),
        ("anyone", "but"),
        ("anybody", "but"),
        ("everyone", "but"),
        ("all", "but"),
        ("anywhere", "bar"),
        ("apart", "from"),
        ("aside", "from"),
        ("save", "for"),
    }
)

BETWEEN_NEGATION: Final = word_set(
    "want need wanted like do have to be on in for a an the any at only just necessarily during really too looking work with interested "
    "my early late available free is are it all make of super travel travelling traveling go going get getting come coming "
    "commute commuting pay paying spend spending "
    "lesson lessons class classes session sessions anywhere somewhere taught given held based located happening having even way"
)
"""Words that may stand between "not" and what it denies."""

BETWEEN_LESSON: Final = word_set(
    "a an the any more another some my want need wanted like do to be in for with of interested into looking is it all really necessarily "
    "play playing learn learning take taking study studying lesson lessons class classes"
)
"""Those that may stand between "not" and a kind of lesson; behind any other word it is that word which is denied: "no early piano"."""

DEGREES: Final = word_set("too super very so overly particularly that")
"""With an adjective they say how the lesson should be, which can't be searched for and goes without saying: "not too fast"."""

NEED_NOT: Final = word_set("only just necessarily have need live lives living")
"""After "not" these say that it may be so as well: "not just for kids", "doesn't have to be online", "I don't live in queens"."""

POLITE: Final = word_set(
    "pressure rush hurry worries worry problem problems idea clue preference preferences matter stress nonsense frills fuss hassle drama "
    "judgment judgement judgmental judgemental obligation obligations commitment attached bs fear budget limit limits"
)
"""What is denied out of politeness, or says nothing: "no rush", "no idea where to begin", "no nonsense"."""

ALTERNATIVES: Final = frozenset({"or", "nor"})
