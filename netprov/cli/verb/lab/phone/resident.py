"""A phone that lives where somebody chose: switched on with what it kept, which is written down whenever it rests."""

from __future__ import annotations

import random

from netprov.cli.verb.lab.phone.choice import Choice
from netprov.emulator.flash import Flash
from netprov.emulator.phone import Observer
from netprov.phone.action import Step, Wait
from netprov.phone.handset.identity import Identity
from netprov.phone.handset.memory import Handset
from netprov.phone.life.machine import LivingPhone


class Resident:
    """One phone, and its flash where it is kept."""

    def __init__(self, identity: Identity, choice: Choice, time_of_day: float) -> None:
        handset = Handset(identity, random.randrange, choice.behaviour, now=time_of_day)
        self._flash = Flash(choice.keep, handset) if choice.keep else None
        if self._flash:
            self._flash.load()
            self._flash.save()  # a directory that takes nothing is told before the phone lives, not after
        self.phone = LivingPhone(handset)

    def keep(self) -> None:
        """Write down what is to be kept."""
        if self._flash:
            self._flash.save()

    def observed(self, observe: Observer) -> Observer:
        """Return an observer that also writes down what is to be kept, once the phone rests."""

        def seen(step: Step) -> None:
            observe(step)
            if isinstance(step.action, Wait) or self.phone.rests:
                self.keep()

        return seen
