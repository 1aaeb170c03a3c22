"""Words that are right as they are, though no lesson and no dictionary of English may have them: people's names, languages, pursuits.

Most are one edit from some word of lessons: Lara from "lyra", Jude from "judo", shibari from "shibori". From general knowledge, in plain letters.
"""

from __future__ import annotations

from typing import Final

from greenroom.actors.search.understanding.words import word_set

FIRST_NAMES: Final = word_set("""
    aaron abby abdul abdullah abel abigail abraham adam addison adele adrian adriana agnes ahmad ahmed aidan aiden aisha akira alan alana albert
    alberto aldo alec alejandra alejandro aleksandra alena alessandra alessandro alessia alex alexa alexander alexandra alexandre alexei alexis
    alfie alfonso alfred alfredo alice alicia alina alisa alison allan allison alma alvaro alvin alyssa amanda amara amber amelia amelie amina amir amit
    amos amrita anais ananya anastasia anders andre andrea andreas andrei andres andrew andrey andy angel angela angelica angelina angelo angie anil
    anita anja anjali anna annabel anne annette annie anthony antoine anton antonia antonio anya april arabella archie ariana ariel arjun arlo
    armando arnold arthur arturo arun asha asher ashley astrid athena aubrey audrey august aurora austin ava avery axel ayesha aylin
    barbara barry beatrice beatriz becky bella benedict benjamin benny bernadette bernard bernardo bert bertha beth bethany betty bianca bilal bill
    billy blake bobby bonnie boris brad bradley brandon brenda brendan brent brett brian briana bridget brooke bruce bruno bryan bryce byron
    caitlin calvin cameron camila camilla camille candice cara carl carla carlo carlos carlotta carmen carol carolina caroline carrie carter casey
    cassandra catalina catherine cathy cecil cecilia cedric celeste celia celine cesar chad chantal charles charlie charlotte chelsea cheryl chiara
    chloe chris christian christina christine christoph christopher cindy claire clara clare clarence claudia claudio clemens clement cleo clifford
    clinton clive clyde cody colin colleen conor connor conrad constance cora corey corinne courtney craig cristina curtis cynthia cyril
    daisy dale damian damien damon dana daniel daniela daniele danielle danilo danny daphne daria dario darius darlene darren daryl dave david davide
    dawn deborah debbie deepak deepa deirdre delia denis denise dennis derek desmond diana diane diego dieter dimitri dina dino dmitri dolores
    dominic dominik donald donna donovan dora doreen doris dorothy douglas duncan dustin dwayne dylan
    earl eddie edgar edith edmund eduardo edward edwin eileen elaine eleanor elena eleni eliana elias elif elijah elisa elisabeth elise eliza elizabeth ella
    ellen ellie elliot elliott ellis elma elsa elsie elton elvira emanuel emil emilia emilio emily emir emma emmanuel enrico enrique enzo eric erica
    erik erika erin ernest ernesto ernst esme esperanza estelle esteban esther ethan etta eugene eva evan evelyn ezra
    fabian fabio fabrice faith farah farid fatima fatma felicia felicity felipe felix fernanda fernando filip filippo finn finley fiona flavia flavio
    flora florence florian frances francesca francesco francis francisco franco frank franz fred freddie frederick freya frida fritz
    gabriel gabriela gabriella gabrielle gareth gary gavin gemma gene geoffrey george georgia georgina gerald gerard gianna gilbert gina giorgio
    giovanni giulia giulio giuseppe gladys glenn gloria gordon grace graham grant greg gregory greta guido guillermo gunther gustav gwen
    hadley haley hamza hana hanna hannah hans harold harper harriet harris harrison harry harvey hassan hazel heather hector heidi heinrich helen helena
    helga henri henrietta henrik henry herbert herman hilary hilda holly homer horace howard hubert hugh hugo humberto hussein
    ibrahim ida ignacio igor ilse imani imogen imran indira ines inga ingrid irene irina irma isaac isabel isabella isabelle isadora isaiah isla ismael ivan
    ivana ivor ivy
    jack jackie jackson jacob jacqueline jacques jaden jaime jake jamal james jamie jana jane janet janice janis jared jasmin jasmine jason jasper javier jayden
    jean jeanette jeff jeffrey jelena jenna jennifer jenny jens jeremiah jeremy jerome jerry jesse jessica jesus jill jimmy joachim joan joana joanna joanne
    joaquin jocelyn jodie joel joey johan johann johanna john johnny jolene jonah jonas jonathan jordan jorge jose josef joseph josephine josh joshua
    joyce juan juana juanita jude judith judy julia julian juliana julie juliet julio julius june junior justin justine jutta
    kamal karen karim karin karina karl karla kasper kate katharina katherine kathleen kathryn kathy katia katie katja katrina katya kayla keiko keith
    kelly kelsey kelvin kendra kenji kenneth kenny kerry kevin khalid kieran kiara kimberly kira kiran kirsten kirsty klara klaus krista kristen kristin kristina
    kumar kurt kyle kylie
    lana lara larissa larry lars laszlo laura laurel lauren laurence laurent laurie leah leander leila lena leona leonard leonardo leonie leopold leroy lesley
    leslie lester leticia levi lewis liam liana lidia lila lilian liliana lillian lillie lilly lina linda lindsay lindsey linus lionel lisa livia liza lloyd logan
    lola lolita lora lorena lorenzo loretta lorna lorraine lottie louis louisa louise luca lucas lucia luciana luciano lucie lucille lucinda lucy luigi luis luisa
    lukas luke luna luther lydia lyla lynn lyra
    mabel mack maddie madeleine madeline madison mae magda magdalena maggie magnus mahmoud maia maisie malcolm malia malik mandy manuel manuela mara marc
    marcel marcela marcella marcelo marcia marcin marco marcos marcus margaret margarita margot maria mariah mariam mariana marianne marie mariella marilyn
    marina mario marion marisa marissa marius marjorie mark markus marla marlene marlon marsha marta martha martin martina marvin mary maryam mason massimo
    mateo mathew mathieu mathilda matilda matt matteo matthew matthias maud maureen maurice mauricio max maxim maxine maya megan mehmet melanie melina melinda
    melissa melody mercedes meredith mia micah michael michaela michal michel michele michelle mick miguel mika mikael mike mikhail mila milan milena miles millie
    milo milton mimi mina mindy minnie mira miranda mireille miriam misha mitchell mohamed mohammad mohammed moira molly mona monica monika monique morgan
    moritz morris moses muhammad muriel murray mustafa myles myra myrtle
    nadia nadine nancy naomi nasser natalia natalie natasha nate nathalie nathan nathaniel neha neil nell nellie nelson nicholas nick nicky nico nicola nicolas
    nicole nigel nikita nikki niklas nikola nikolai nils nina nisha noah noel noelle noemi nora norah noreen norma norman nuno nuria
    octavia odette olaf oleg olena olga oliver olivia olivier ollie omar oona ophelia orlando oscar osman otto owen
    pablo paige paloma pamela paola paolo patricia patrick patrizia patty paul paula paulina pauline paulo pavel pearl pedro peggy penelope penny percy
    perry peter petra phil philip philippa philippe phillip phoebe phyllis pierre pietro piotr pippa polly poppy porter preeti priscilla priya
    quentin quincy quinn
    rachel rachael rafael rahul raisa raj rajesh ralph ramesh ramon ramona randall randy rania raoul raphael raquel rashid ravi raymond rebecca reggie
    regina reginald reiko reinhard rekha renata renate rene renee reuben rhoda rhonda ricardo riccardo richard rick ricky rita robert roberta roberto robin
    rocco rochelle rodney rodrigo roger rohan roland rolf roman romeo ronald ronan ronnie rory rosa rosalie rosalind rosanna rose rosemary rosie ross roxanne
    ruben ruby rudolf rudy rufus rupert russell ruth ryan
    sabina sabine sabrina sadie saeed sakura sally salma salman salvador salvatore samantha samir sammy samson samuel sandra sandy sanjay santiago sara
    sarah sasha saskia savannah scarlett scott sean sebastian selena selina selma serena serge sergei sergio seth shane shannon sharon shaun shawn sheila
    shelby sheldon shelley shirin shirley sidney sienna sierra sigrid silas silvia simon simona simone sinead skye sofia solomon sonia sonja sonya sophia sophie
    spencer stacey stacy stan stanley stefan stefania stefano stella stephan stephanie stephen steve steven stewart stuart summer sunil suresh susan
    susana susanna susanne susie suzanne sven svetlana sybil sylvia sylvie
    tabitha tamara tamika tammy tania tanja tanya tara tariq tatiana taylor teddy teresa terence terrence terri terry tessa thelma theo theodora theodore theresa
    therese thomas tiana tiffany tilda tilly tina tobias toby todd tomas tommy tony tracey tracy travis trent trevor trevon trina trisha tristan troy trudy
    tyler tyrone
    ugo ulrich umberto uma ursula uwe
    valentin valentina valentino valeria valerie vanessa vanya vasily vera verity vernon veronica vicki vicky victor victoria vijay vikram viktor vincent
    vincenzo viola violet virgil virginia vito vivian viviana vivien vladimir
    wallace walter wanda warren wayne wendy werner wesley wilbur wilfred wilhelm willa william willie willow wilma winifred winston wolfgang wyatt
    xander xavier ximena yael yana yara yasmin yasmine yolanda yosef yusuf yvette yvonne
    zachary zahra zara zelda zeynep zoe zoey zoltan zora zuzana
    """)

LANGUAGES: Final = word_set("""
    abkhaz acholi afar afrikaans akan albanian aleut amharic apache arabic aragonese aramaic armenian assamese assyrian asturian avar avestan awadhi aymara azerbaijani
    balinese balochi bambara bashkir basque belarusian bemba bengali berber bhojpuri bikol bislama bosnian breton bulgarian burmese
    cantonese catalan cebuano chamorro chechen cherokee chichewa chinese choctaw chuvash coptic cornish corsican cree creole croatian czech
    dakota danish dari dhivehi dinka dogri dutch dzongkha edo english esperanto estonian ewe faroese farsi fijian filipino finnish flemish french frisian
    friulian fula fulani gaelic galician ganda georgian german greek greenlandic guarani gujarati haitian hakka hausa hawaiian hebrew herero hindi hindustani hittite
    hmong hokkien hopi hungarian icelandic ido igbo ilocano indonesian ingush interlingua inuktitut inupiat irish italian
    japanese javanese kabyle kalaallisut kannada kanuri kashmiri kashubian kazakh khmer kikuyu kinyarwanda kirundi klingon komi kongo konkani korean kurdish kurmanji
    kyrgyz ladin ladino lakota lao latin latvian ligurian lingala lithuanian lojban lombard luganda luo luxembourgish
    maasai macedonian maithili malagasy malay malayalam maltese manchu mandarin mandinka manx maori mapudungun marathi marwari marshallese mayan mirandese mohawk
    moldovan mongolian montenegrin nahuatl nauruan navajo ndebele neapolitan nepali newari norwegian nubian nyanja occitan odia ojibwe oriya oromo ossetian
    pali pashto patois persian pidgin polish portuguese prakrit provencal punjabi quechua rohingya romanian romansh romany rundi russian rusyn
    saami sami samoan sango sanskrit santali sardinian scots sepedi serbian serbo sesotho setswana shanghainese shona sicilian silesian sindhi sinhala sinhalese slovak slovene
    slovenian somali sorani sorbian sotho spanish sumerian sundanese swahili swati swedish sylheti syriac tagalog tahitian taiwanese tajik tamazight tamil tatar telugu
    tetum thai tibetan tigre tigrinya toki tongan tsonga tswana tuareg tulu turkish turkmen tuvan twi udmurt ugaritic uighur ukrainian umbundu urdu uyghur uzbek venda venetian
    vietnamese volapuk votic walloon welsh wolof xhosa yakut yiddish yoruba yucatec zapotec zazaki zhuang zulu
    """)

PURSUITS: Final = word_set("""
    shibari shibori kintsugi kokedama temari sashiko boro furoshiki ikebana origami kirigami amigurumi macrame batik ikat suminagashi raku sumi kumihimo
    scrimshaw pyrography intarsia marquetry decoupage encaustic gouache tempera sgraffito cloisonne repousse niello granulation lapidary quilling
    tatting bobbin nalbinding naalbinding tunisian smocking broderie hardanger blackwork goldwork stumpwork crewel bargello tambour
    kalimba mbira hang handpan didgeridoo theremin hurdy gurdy nyckelharpa balalaika bouzouki saz baglama oud setar santur santoor sarod sarangi shehnai tanpura veena
    erhu pipa guqin guzheng koto shamisen shakuhachi taiko gamelan angklung djembe dunun cajon bodhran bombo zampona quena charango cuatro tres requinto vihuela
    ocarina recorder crumhorn cornett sackbut serpent theorbo lute cittern psaltery dulcimer zither autoharp kantele concertina bandoneon melodica harmonium
    capoeira kalaripayattu silat eskrima kali arnis savate sambo systema kendo iaido kyudo naginata ninjutsu aikido hapkido wushu sanda sanshou muay krav
    lethwei glima shuai bagua xingyi qigong bartitsu hema parkour slackline highline bouldering canyoning pickleball padel racketlon spikeball teqball sepak takraw
    kabaddi kubb petanque boules bocce carrom shogi xiangqi janggi mancala backgammon mahjong hanafuda
    kizomba bachata zouk forro lambada merengue cumbia kuduro dancehall kathak bharatanatyam odissi kuchipudi mohiniyattam manipuri bhangra garba dandiya
    butoh sevillanas flamenco jota hambo polska mazurka krakowiak czardas hora sirtaki dabke khaleeji
    reiki shiatsu ayurveda feldenkrais pilates gyrotonic iyengar ashtanga kundalini hatha vinyasa yin nidra pranayama
    """)

PROPER_WORDS: Final = FIRST_NAMES | LANGUAGES | PURSUITS
