"""
Asking language models: any endpoint that speaks the chat completions of OpenAI's API.

A call leaves the process, costs money and may fail in ways that nothing in the core can, so whatever asks is here, and
what comes back is turned into plain values at this border: no class of a client library goes further in. Nothing here
writes to a store; every exchange is handed back as a ``Call``, and ``memp.operations.modelled`` puts it on record.
"""

from memp.llm.base import MODES, Call, Message, Mode, Model

__all__ = ["MODES", "Call", "Message", "Mode", "Model"]
