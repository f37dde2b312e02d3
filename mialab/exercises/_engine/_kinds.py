"""Exercises without code: choose, predict, read a plot, write a few sentences."""

from __future__ import annotations

import json
import math
import re
import textwrap
from abc import abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from mialab._files import notebooks_folder
from mialab.exercises._engine import _progress
from mialab.exercises._engine._base import Exercise, Wrong, count
from mialab.exercises._engine._calls import as_array, show
from mialab.exercises._engine._panel import Panel, Verdict

_FIRST_HINT = "Do not look it up: a guess is worth most when it comes before the answer."
_NUMBER_HINT = "What is the least that it could be, and what the most? What would each of them mean? Where between?"
_WORD_HINT = "Take the options one by one: what would have to be true for each? Which is the easiest to believe?"
_LAST_HINT = "Any allowed answer is accepted. Write one down, then run the cell below it."
_NO_SOLUTION = "A guess has no worked answer. Run the cells below it; the recap at the end plays your guess back."
_WRITE_HERE = "Write your answer here."
_AS_TYPED = str.maketrans("‘’ʼ“”„‐‑–", "'''\"\"\"---")  # what an editor or a copied sentence makes of them
_SAME_WORDS = "The same few words come again and again. Say it in sentences of your own."
_THE_RUBRIC = "That is the rubric itself. Say it in words of your own, about this model and these flowers."
_NO_SENTENCES = "A person reads this, and these are no sentences. What would you say to someone who asks you?"
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")  # Thai to Chinese
_KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "azertyuiop", "lkjhgfdsa", "poiuytrewq", "mnbvcxz")
_LOREM = {"lorem", "ipsum", "dolor", "amet", "consectetur", "adipiscing", "aliqua"}
_RUN = 4  # words that follow each other as in the question are taken from it
_MANY = 100  # words whose variety is looked at: the longer a text, the more of its words come again
_VARIETY = 0.4  # of the words are different; in serious answers, 0.55 and more


class Choice(Exercise):
    """Choose one of several options; every option has its own explanation."""

    kind = "choose an answer"

    def __init__(self, name: str, *, options: dict[str, tuple[str, str]], answer: str, **common: Any):
        super().__init__(name, means=options[answer][1], why="", **common)
        self.options = options  # letter -> (text, explanation)
        self.answer = answer
        self.also_right = {"capital": answer.upper(), "spaced": f" {answer}) "}
        self.wrong = {
            f"option_{letter}": Wrong(letter, why) for letter, (_, why) in options.items() if letter != answer
        } | {
            "not_an_option": Wrong("z", self._ask_for_one("z")),
            "several_options": Wrong("".join(options), "Choose one letter: only one option is right."),
        }

    @property
    def stub(self) -> str:
        letters = [f'"{letter}"' for letter in self.options]
        return f"{self.name} = ...  # {', '.join(letters[:-1])} or {letters[-1]}"

    @property
    def right_answer(self) -> str:
        return self.answer

    def _judge(self, answer: Any, random_state: int | None) -> Verdict:
        if _is_missing(answer):
            return self._not_attempted()
        if not isinstance(answer, str):
            return self._not_yet("wrong_type", self._ask_for_one(answer))
        letter = letters_of(answer)
        if letter == self.answer:
            return self._correct()
        if letter in self.options:
            return self._not_yet(f"option_{letter}", self.options[letter][1])
        if len(letter) > 1 and set(letter) <= set(self.options):
            return self._not_yet("several_options", self.wrong["several_options"].diagnosis)
        return self._not_yet("not_an_option", self._ask_for_one(answer))

    def _ask_for_one(self, answer: Any) -> str:
        return f'`{show(answer)}` is not one of the options. Answer with one letter in quotation marks, such as `"a"`.'

    def _worked_answer(self) -> tuple[str, ...]:
        return tuple(
            f"{letter}) {text.rstrip('.')}: {'right. ' if letter == self.answer else 'no. '}{why}"
            for letter, (text, why) in self.options.items()
        )


class Prediction(Exercise):
    """Commit a guess before the measurement. No guess is wrong; the recap plays it back beside what was measured.

    Either `options` (words to choose from) or `between` (the lowest and highest number that makes sense) is given.
    `hints` are three of its own, or one for the place of the second, which is about the question.
    """

    kind = "predict, then run"
    done = "guessed"

    def __init__(
        self,
        name: str,
        *,
        question: str,
        options: list[str] | None = None,
        between: tuple[float, float] | None = None,
        hints: list[str] | str = "",
        minutes: int = 1,
        **common: Any,
    ):
        if isinstance(hints, str):
            hints = [_FIRST_HINT, hints or (_WORD_HINT if options else _NUMBER_HINT), _LAST_HINT]
        settings = {"points": 1, "means": "Now run the next cell and see.", "why": _NO_SOLUTION}
        super().__init__(name, minutes=minutes, hints=hints, **(settings | common))
        self.question, self.options, self.between = question, options, between
        self.measured: Any = None
        if options:
            self.also_right = {"capitals": options[0].upper(), "other_option": options[-1]}
            bad = {"not_an_option": "perhaps", "wrong_type": 3, "several_options": list(options),
                   "a_sentence": "I think it is " + options[0]}  # fmt: skip
        else:
            low, high = between
            self.also_right = {"lowest": low, "highest": np.float64(high)}
            bad = {"wrong_type": "about half", "not_a_number": math.nan, "too_high": high * 100 + 1,
                   "too_low": low - 1}  # fmt: skip
        self.wrong = {diagnosis: Wrong(answer, self._complaint(answer)[1]) for diagnosis, answer in bad.items()}

    @property
    def stub(self) -> str:
        if self.options:
            return f"{self.name} = ...  # " + " or ".join(f'"{o}"' for o in self.options)
        low, high = self.between
        return f"{self.name} = ...  # a number from {low:g} to {high:g}"

    @property
    def right_answer(self) -> Any:
        return self.options[0] if self.options else (self.between[0] + self.between[1]) / 2

    def reveal(self, measured: Any) -> Panel:
        """Show the guess beside what was measured, and keep the measurement for the recap."""
        self.measured = measured
        return Panel(self.question, (self.replay(),))

    def replay(self) -> str:
        """One sentence: what was guessed, what was measured."""
        guess = _progress.load()[0]["exercises"].get(self.id, {}).get("answer")
        said = "You made no guess." if guess is None else f"You guessed {_plain(guess)}."
        found = "It is not measured yet." if self.measured is None else f"Measured: {_plain(self.measured)}."
        return f"{said} {found}"

    def _judge(self, answer: Any, random_state: int | None) -> Verdict:
        if _is_missing(answer):
            return self._not_attempted(
                "Replace the three dots with your guess. A guess cannot be wrong here; it can only be missing."
            )
        complaint = self._complaint(answer)
        return self._not_yet(*complaint) if complaint else self._correct(f"Your guess is noted: {show(answer)}.")

    def _complaint(self, answer: Any) -> tuple[str, str] | None:
        if self.options:
            choose = "Choose one of " + ", ".join(f'`"{o}"`' for o in self.options) + "."
            if isinstance(answer, list | tuple | set):
                return "several_options", f"That is more than one answer. {choose}"
            if not isinstance(answer, str):
                return "wrong_type", f"`{show(answer)}` is not one of the words. {choose}"
            if self._option(answer):
                return None
            found = "a_sentence" if len(answer.split()) > 3 else "not_an_option"
            return found, f"`{show(answer)}` is not one of the options. {choose}"
        low, high = self.between
        between = f"a number from {low:g} to {high:g}"
        number = number_of(answer)
        if number is None:
            return "wrong_type", f"`{show(answer)}` is not a number. Guess {between}, without quotation marks."
        if math.isnan(number):
            return "not_a_number", f"`nan` is no guess. Guess {between}."
        if high > 1 and 0 < number < 1:
            return "a_share", f"{show(number)} of {high:g}? If you mean {show(100 * number)} in a hundred, write that."
        if number < low:
            return "too_low", f"{show(number)} is below what is possible. Guess {between}."
        if number > high:
            percent = " Is it a percentage? Write 80% as 0.8." if high == 1 else ""
            return "too_high", f"{show(number)} is above what is possible. Guess {between}.{percent}"
        return None

    def _to_keep(self, answer: Any) -> Any:
        return self._option(answer) if isinstance(answer, str) else float(answer)

    def _option(self, answer: str) -> str | None:
        """The option that an answer means, however it is typed; None if it is none of them."""
        return next((o for o in self.options if _typed(o) == _typed(answer)), None)

    def _worked_answer(self) -> tuple[str, ...]:
        return ()


class _Numeric(Exercise):
    """An exercise whose answer is one number, of a `unit`."""

    unit: str
    thing: str  # what the number is
    no_number: str  # an answer that is none

    @property
    def stub(self) -> str:
        return f"{self.name} = ...  # {self.unit}"

    def _no_numbers(self) -> dict[str, Wrong]:
        """Answers that are no number at all."""
        return {
            "wrong_type": Wrong(self.no_number, f"`{self.no_number!r}` is not a number. Give {self.unit}."),
            "not_a_number": Wrong(math.nan, f"`nan` is not a {self.thing}. Give {self.unit}."),
        }

    def _judge(self, answer: Any, random_state: int | None) -> Verdict:
        if _is_missing(answer):
            return self._not_attempted()
        number = number_of(answer)
        if number is None:
            return self._not_yet("wrong_type", f"{_no_number(answer)} Give {self.unit}.")
        if math.isnan(number):
            return self._not_yet("not_a_number", f"`nan` is not a {self.thing}. Give {self.unit}.")
        return self._judge_number(number)

    @abstractmethod
    def _judge_number(self, number: float) -> Verdict:
        """The verdict on a number."""


class Reading(_Numeric):
    """Read a number off a plot or a table. The oracle computes it again; `tolerance` is how finely one can read."""

    kind = "read a plot"
    thing, no_number = "reading", "about half"

    def __init__(
        self,
        name: str,
        *,
        oracle: Callable[[], float],
        tolerance: float,
        unit: str,
        misreadings: dict[str, tuple[Callable[[], float], str]],
        **common: Any,
    ):
        super().__init__(name, **common)
        self.oracle, self.tolerance, self.unit = oracle, tolerance, unit
        self.misreadings = misreadings  # name -> (what that misreading gives, diagnosis)

    @cached_property
    def right_answer(self) -> float:
        return float(self.oracle())

    @property
    def right_code(self) -> str:
        return f"{self.name} = {self.right_answer:.4g}"

    @cached_property
    def also_right(self) -> dict[str, Any]:
        """Readings a little off the exact value."""
        truth, little = self.right_answer, 0.9 * self.tolerance
        return {"a_little_high": truth + little, "a_little_low": np.float64(truth - little)}

    @cached_property
    def wrong(self) -> dict[str, Wrong]:
        """The misreadings, and answers that are no reading at all."""
        misread = {name: Wrong(float(value()), text) for name, (value, text) in self.misreadings.items()}
        off = Wrong(self.right_answer + 7.7 * self.tolerance, "That is not what the figure shows.")
        return misread | self._no_numbers() | {"off": off}

    def _judge_number(self, number: float) -> Verdict:
        truth = self.right_answer
        if abs(number - truth) <= self.tolerance:
            return self._correct("Correct.", f"Computed, it is {truth:.3g}.")
        for name, (value, text) in self.misreadings.items():
            if abs(number - float(value())) <= self.tolerance / 2:
                return self._not_yet(name, text)
        way = "high" if number > truth else "low"
        return self._not_yet("off", f"That is not what the figure shows. Yours is too {way}.")


class Written(Exercise):
    """A short written answer. The check sees that there is one; a person judges it, with the rubric."""

    kind = "write a few sentences"
    done = "handed in"

    def __init__(
        self, name: str, *, rubric: list[str], example: str, others: list[str], words: int = 25, **common: Any
    ):
        means = "It is kept with your progress for a person to read; no program judges it. Compare it with the rubric:"
        super().__init__(name, means=means, why="", **common)
        self.rubric, self.example, self.words = rubric, example, words
        self.also_right = {f"example_{i}": text for i, text in enumerate(others, 2)}
        self.wrong = {
            "too_short": Wrong("It depends.", self._too_short(2)),
            "same_words": Wrong("leak " * (words + 5), _SAME_WORDS),
            "wrong_type": Wrong(42, "Write your answer as text, between the triple quotation marks."),
            "the_rubric": Wrong(" ".join(rubric), _THE_RUBRIC),
        }

    @property
    def stub(self) -> str:
        return f'{self.name} = """\n{_WRITE_HERE}\n"""'

    @property
    def right_answer(self) -> str:
        return self.example

    @property
    def right_code(self) -> str:
        return f'{self.name} = """\n{textwrap.fill(self.example, 96)}\n"""'

    def _judge(self, answer: Any, random_state: int | None) -> Verdict:
        text = answer.replace(_WRITE_HERE, " ") if isinstance(answer, str) else answer
        if _is_missing(text):
            return self._not_attempted("Write your answer between the triple quotation marks.")
        if not isinstance(text, str):
            return self._not_yet("wrong_type", self.wrong["wrong_type"].diagnosis)
        n_words, rubric = len(_UNSPACED.sub(" w ", text).split()), " ".join(self.rubric)
        copied = any(_is_copied(text, asked) for asked in (rubric, self._prompt))
        # A whole rubric is called one, though it be shorter than an answer must be.
        if n_words < self.words and not (copied and n_words >= len(rubric.split())):
            return self._not_yet("too_short", self._too_short(n_words))
        if n_words >= self.words and (filler := _filler(text, self.words)):
            return self._not_yet(*filler)
        if copied:
            return self._not_yet("the_rubric", _THE_RUBRIC)
        return self._correct("Handed in.", *(f"• {point}" for point in self.rubric))

    @cached_property
    def _prompt(self) -> str:
        """What the notebook asks, from the exercise's heading on; empty where the notebook is not at hand."""
        try:
            cells = json.loads((notebooks_folder() / f"{self.notebook}.ipynb").read_bytes())["cells"]
        except (OSError, ValueError):
            return ""
        texts = ("".join(cell["source"]) for cell in cells)
        return next((t.rpartition("###")[2] for t in texts if f"*`{self.name}` ·" in t), "")

    def _too_short(self, n: int) -> str:
        return f"{count(n, 'word')} {'is' if n == 1 else 'are'} too few to argue with; write at least {self.words}."

    def _to_keep(self, answer: Any) -> Any:
        return answer.strip()

    def _worked_answer(self) -> tuple[str, ...]:
        return ("One answer that earns every point:", self.example, *(f"• {point}" for point in self.rubric))


class Dial(_Numeric):
    """Turn the makers' dial: name a sensible setting at which their verdict changes."""

    kind = "turn the makers' dial"
    thing, no_number = "setting", "small"

    def __init__(
        self,
        name: str,
        *,
        unit: str,
        between: tuple[float, float],
        measure: Callable[[float], Any],
        turns: Callable[[Any], bool],
        says: str,
        whole: bool = False,
        right: tuple[float, ...],
        stays: tuple[float, ...],
        **common: Any,
    ):
        super().__init__(name, **common)
        self.unit, self.between, self.whole = unit, between, whole
        self.measure, self.turns = measure, turns  # what comes of a setting, and whether that changes the verdict
        self.says = says  # a sentence with {setting} and {found}, or {found[0]} and {found[1]}
        self.right, self.stays = right, stays  # settings at which the verdict turns, and at which it does not
        self.also_right = {f"also_{setting:g}": np.float64(setting) for setting in right[1:]}
        still = {f"stays_{setting:g}": Wrong(setting, "not yet what is asked for") for setting in stays}
        self.wrong = still | self._no_numbers()
        self.wrong["outside"] = Wrong(between[1] * 3, "outside what the question allows")
        if whole:
            self.wrong["not_whole"] = Wrong(between[0] + 0.5, "should be a whole number")

    @property
    def right_answer(self) -> float:
        return self.right[0]

    def _judge_number(self, setting: float) -> Verdict:
        low, high = self.between
        if not low <= setting <= high:
            return self._not_yet("outside", f"{setting:g} lies outside what the question allows, {low:g} to {high:g}.")
        if self.whole and setting != int(setting):
            return self._not_yet("not_whole", f"{setting:g} should be a whole number.")
        found = self.measure(int(setting) if self.whole else setting)
        said = self.says.format(setting=setting, found=found)
        if self.turns(found):
            return self._correct("Correct.", said)
        return self._not_yet(f"stays_{setting:g}", f"{said} That is not yet what is asked for: try another setting.")


def letters_of(answer: str) -> str:
    """The letters of a chosen option, however it is dressed: "d" of "D.", " d)" and "(d)"."""
    return re.sub(r"[^a-z]", "", answer.lower())


def _typed(text: str) -> str:
    """A text as a plain keyboard gives it: small letters, straight quotation marks, single blanks between words."""
    return " ".join(text.translate(_AS_TYPED).casefold().split()).strip("\"' ")


def _letters(text: str) -> list[str]:
    """The words of a text without capitals, bullets and punctuation; in a script without blanks, its characters."""
    return re.findall(r"[^\W\d_]+", _UNSPACED.sub(r" \g<0> ", text.lower()))


def _is_copied(text: str, asked: str) -> bool:
    """True if hardly a word is the writer's own: the others are those of the question, or in runs as it has them."""
    words, known = _letters(text), _letters(asked)
    runs = {tuple(known[i : i + _RUN]) for i in range(len(known) - _RUN + 1)}
    taken = {i + k for i in range(len(words)) if tuple(words[i : i + _RUN]) in runs for k in range(_RUN)}
    few = 0.2 * len(text.split())
    return len(words) - len(taken) < few or sum(word not in known for word in words) < few / 2


def _filler(text: str, asked: int) -> tuple[str, str] | None:
    """Name and sentence for a text that fills its place of `asked` words without sentences, in whatever language.

    Only its shape is looked at: how many different words it has, and whether they are words. None for others.
    """
    words = _letters(text)
    start = words[:_MANY]
    if len(set(words)) < asked / 2 or len(set(start)) < _VARIETY * len(start):
        return "same_words", _SAME_WORDS
    plain = [word for word in words if word.isascii() and len(word) > 2]
    mashed = [w for w in plain if not set(w) & set("aeiouy") or any(w[:4] in row for row in _KEYBOARD if len(w) > 3)]
    letters = [word for word in words if len(word) == 1 and not _UNSPACED.match(word)]
    few_words = len(words) < 0.5 * len(text.split())
    latin = len(_LOREM & set(words)) >= 3
    if few_words or latin or len(mashed) > 0.3 * len(words) or len(letters) > 0.5 * len(words):
        return "no_sentences", _NO_SENTENCES
    return None


def _is_missing(answer: Any) -> bool:
    """True for the three dots of the stub, for nothing, and for an empty text."""
    return answer is ... or answer is None or (isinstance(answer, str) and not answer.strip())


def _plain(value: Any) -> str:
    """A word without quotation marks, a number without needless digits."""
    if isinstance(value, str):
        return value
    return f"{value:g}" if abs(value) > 1 or value == 0 else f"{value:.2f}"


def _no_number(answer: Any) -> str:
    if isinstance(answer, tuple):
        return "To Python a comma divides two numbers: write 10000, and 4.5 with a point."
    return f"`{show(answer)}` is not a number."


def number_of(answer: Any) -> float | None:
    """An answer as one number; None if it is none."""
    array = as_array(answer)
    if array is None or array.shape != () or array.dtype.kind not in "iuf":
        return None
    return float(array)
