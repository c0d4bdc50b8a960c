"""`reach`: from ids back to objects, exact however often an address was used."""
import json

from harness import Case, families, once

MARKS = 5


class Reach(Case):
    """A history of 5 marks; what the program held at each is in `self.told`."""

    def play(self, seed=1):
        session = self.start("reach.py", seed)
        session.read()
        self.mark(session)
        self.told = {}
        for number in range(2, MARKS + 1):
            session.ask("step")
            self.told[number] = session.ask("tell")["kept"]
            session.ask("rest")  # what told is gone by now
            self.mark(session)
        session.ask("step")
        self.told["now"] = session.ask("tell")["kept"]
        session.ask("rest")
        return session

    def list(self, target, *span):
        return self.json("ids", target, *span)

    def reach(self, target, document, *args):
        return self.json("reach", target, "-", *args, stdin=json.dumps(document))

    def check(self, answers, then, now):
        """Answers for what was held then against what is held now."""
        held = {serial for serial, _, _ in self.told[now]}
        places = {place for _, _, place in self.told[now]}
        states = {int(answer["id"], 16): answer for answer in answers["ids"]}
        counted = {"same": 0, "reused": 0, "gone": 0}
        for serial, name, place in self.told[then]:
            answer = states.get(place)
            self.assertIsNotNone(answer, f"{name} {serial} is not in the list of mark {then}")
            where = f"{name} {serial}, listed at {then}, at {now}: {answer}"
            self.assertEqual(answer["state"] == "same", serial in held, where)
            if answer["state"] != "same":
                self.assertTrue(place not in places or answer["state"] == "reused", where)
            self.assertTrue(answer["certain"], where)
            counted[answer["state"]] += 1
        return counted

    def check_pairs(self, target, live):
        for then in range(2, MARKS + 1):
            document = self.list(target, "start", then)
            for now in range(then, MARKS + 1):
                answers = self.reach(target, document, "--at", now)
                self.assertTrue(answers["complete"], answers["notes"])
                self.assertEqual(answers["at"]["mark"], now)
                self.check(answers, then, now)
            if live:
                counted = self.check(self.reach(target, document), then, "now")
                self.assertGreater(counted["reused"], 20, counted)
        self.assertGreater(self.check(answers, MARKS, MARKS)["same"], 20)

    def test_every_pair_of_marks(self):
        session = self.play()
        self.check_pairs(session.pid, True)
        saved = self.saved(session.pid)
        document = self.list(session.pid, "start", 3)
        there = self.reach(session.pid, document)["ids"]
        session.finish()
        self.check_pairs(saved, True)
        self.check_pairs(self.recording(session.pid), False)
        # a list made while it lived, asked of the copy
        self.assertEqual([answer["state"] for answer in self.reach(saved, document)["ids"]],
                         [answer["state"] for answer in there])
        for answer in self.reach(saved, document, "--at", 3)["ids"]:
            self.assertEqual(answer["state"], "same")

    def test_a_list_for_now(self):
        session = self.play(2)
        document = self.list(session.pid, "start", "now")
        self.mark(session)
        self.told[MARKS + 1] = self.told["now"]
        answers = self.reach(session.pid, document, "--at", MARKS + 1)
        held = {place for _, _, place in self.told["now"]}
        mine = [answer for answer in answers["ids"] if int(answer["id"], 16) in held]
        self.assertEqual({answer["state"] for answer in mine}, {"same"})
        young = [answer for answer in mine if answer["born"] == MARKS]
        self.assertGreater(len(young), 50)
        self.assertEqual({answer["certain"] for answer in young}, {False})
        self.assertEqual({answer["certain"] for answer in mine if answer["born"] < MARKS}, {True})
        self.assertTrue([note for note in answers["notes"] if "may have come in its place" in note])
        session.finish()

    def test_bare_ids(self):
        session = self.play(3)
        for then in (2, MARKS):
            places = [place for _, _, place in self.told[then]]
            answers = self.json("reach", session.pid, "--from", then, *places)
            self.check(answers, then, "now")
            self.assertEqual([int(answer["id"], 16) for answer in answers["ids"]], places)
            answers = self.json("reach", session.pid, "--at", then, *map(hex, places))
            self.assertEqual({answer["state"] for answer in answers["ids"]}, {"same"})
        # the last mark is the default; ids come from a stream as well
        same = self.json("reach", session.pid, "-", stdin="\n".join(map(str, places)))
        self.check(same, MARKS, "now")
        session.finish()

    def test_types_and_births(self):
        session = self.play(4)
        document = self.list(session.pid, "start", MARKS)
        listed = {entry["id"]: entry for entry in document["ids"]}
        for answer in self.reach(session.pid, document, "--at", MARKS)["ids"]:
            entry = listed[answer["id"]]
            self.assertEqual((answer["type"], answer["born"], answer["died"]),
                             (entry["type"], entry["born"], None))
        answers = self.reach(session.pid, document)
        for answer in answers["ids"]:
            if answer["state"] == "reused":
                self.assertEqual((answer["born"], answer["died"]), (MARKS, MARKS))
            elif answer["state"] == "gone":
                self.assertEqual((answer["type"], answer["born"], answer["died"]),
                                 (listed[answer["id"]]["type"], listed[answer["id"]]["born"], MARKS))
        text = self.tidemark("reach", session.pid, "-", stdin=json.dumps(document)).stdout
        rows = [line.split() for line in text.splitlines()[1:] if line.startswith("0x")]
        self.assertEqual([row[:2] for row in rows],
                         [[answer["id"], answer["state"]] for answer in answers["ids"]])
        session.finish()

    def test_describe(self):
        """What is read from outside is what the program says; twice, for asking changes how."""
        session = self.start("describe.py")
        session.read()
        self.mark(session)
        session.send()
        places = session.ask("tell")["ids"]
        self.mark(session)
        before = self.described(session, places)
        facts = session.ask()["facts"]
        self.assert_described(before, facts)
        after = session.ask()["facts"]
        self.assertEqual(facts, after)
        self.assert_described(self.described(session, places), after)
        text = self.tidemark("reach", session.pid, "--describe", places["plain"]).stdout
        self.assertRegex(text, r"secret, other|other, secret")
        self.assertNotIn("a value", text)
        self.refused("reach", session.pid, "--describe", "--at", 1, places["plain"])
        saved = self.saved(session.pid)
        self.refused("reach", saved, "--describe", places["plain"])
        session.finish()

    def described(self, session, places):
        answers = self.json("reach", session.pid, "--describe", *places.values())
        self.assertEqual({answer["state"] for answer in answers["ids"]}, {"same"})
        return dict(zip(places, answers["ids"]))

    def assert_described(self, answers, facts):
        for name, (length, attributes) in facts.items():
            found = answers[name]["description"]
            self.assertIsNotNone(found, f"{name}: {answers[name]}")
            self.assertEqual(found["type"], answers[name]["type"], name)
            self.assertEqual(found["length"], length, name)
            self.assertEqual(sorted(found["attributes"]), attributes, name)

    @families
    def test_of_another_recording(self):
        session, other = self.start("steps.py"), self.start("steps.py")
        session.read()
        other.read()
        document = json.dumps(self.list(session.pid, "start", "now"))
        said = self.refused("reach", other.pid, "-", stdin=document)
        self.assertIn("another recording", said)
        self.assertIn(str(session.pid), said)
        session.finish()
        other.finish()

    @once
    def test_wrong_usage(self):
        session = self.start("steps.py")
        session.read()
        self.refused("reach")
        self.refused("reach", session.pid)
        self.refused("reach", session.pid, "nonsense")
        self.refused("reach", session.pid, "0x10", "-")
        self.refused("reach", session.pid, "0x10", "--at", "no such mark")
        self.refused("reach", session.pid, "-", stdin="{}")
        self.refused("reach", session.pid, "-", stdin='{"ids":')
        document = json.dumps(self.list(session.pid, "start", "now"))
        self.refused("reach", session.pid, "-", "--from", "start", stdin=document)
        self.assertEqual(self.json("reach", session.pid, "-", stdin="")["ids"], [])
        session.finish()
