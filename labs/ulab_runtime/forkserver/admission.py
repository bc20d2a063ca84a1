"""How often a sandbox may ask for a child: decisions without a clock of their own."""

from __future__ import annotations

from dataclasses import dataclass, field

BURST = 16
PER_SECOND = 1.0
MOST_CONNECTIONS = 64
"""Of one sandbox at once: its running children and the requests that are under way."""
SILENT_S = 5.0
"""How long a requester may take to say what it wants."""


@dataclass
class Requester:
    """What a fork server remembers of a sandbox that asked before.

    Parameters
    ----------
    left
        How many requests it may make at once now.
    seen
        When it last asked, in seconds of the caller's clock.
    connections
        How many of its connections are open.
    """

    left: float = BURST
    seen: float = 0.0
    connections: int = 0

    def forgettable(self, now: float) -> bool:
        """Whether nothing is lost by forgetting it."""
        return not self.connections and self._refilled(now) >= BURST

    def _refilled(self, now: float) -> float:
        return min(BURST, self.left + (now - self.seen) * PER_SECOND)


@dataclass
class Admission:
    """Who may ask now. A token bucket for each sandbox, so that a flood costs only its own."""

    requesters: dict[int, Requester] = field(default_factory=dict)

    def admit(self, sandbox: int, now: float) -> bool:
        """Count a new connection of `sandbox`; whether it may go on.

        Parameters
        ----------
        sandbox
            What identifies it, such as the inode of its PID namespace.
        now
            Seconds of a clock that only goes forward.
        """
        if len(self.requesters) > 4096:
            self.requesters = {
                key: known for key, known in self.requesters.items() if not known.forgettable(now)
            }
        known = self.requesters.setdefault(sandbox, Requester(seen=now))
        known.left = known._refilled(now)
        known.seen = now
        if known.left < 1 or known.connections >= MOST_CONNECTIONS:
            return False
        known.left -= 1
        known.connections += 1
        return True

    def leave(self, sandbox: int) -> None:
        """Count that a connection which was admitted has ended."""
        self.requesters[sandbox].connections -= 1
