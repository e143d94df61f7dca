"""Each of several parameters that a docstring describes together has its own default."""

import re

import griffe

FACTORY = re.compile(r"^field\(default_factory=lambda: (.*)\)$")


class Defaults(griffe.Extension):
    """griffe shows that of the first for all of them."""

    def on_package(self, *, pkg, **_):
        """When all is known, dataclasses included."""
        for member in pkg.members.values():
            self._mend(member)

    def _mend(self, thing):
        if thing.is_alias:
            return
        if thing.is_module or thing.is_class:
            for member in thing.members.values():
                self._mend(member)
        if thing.docstring is None or not (thing.is_class or thing.is_function):
            return
        defaults = self._defaults(thing)
        sections = thing.docstring.parse("numpy", warnings=False)
        for section in sections:
            if section.kind is griffe.DocstringSectionKind.parameters:
                for parameter in section.value:
                    parameter.value = defaults.get(parameter.name, parameter.value)
        vars(thing.docstring)["parsed"] = sections  # where griffe keeps it once it has parsed

    def _defaults(self, thing):
        """Of a function's parameters, or of a dataclass's fields."""
        if thing.is_function:
            return {parameter.name: parameter.default for parameter in thing.parameters}
        fields = {n: x for n, x in thing.all_members.items() if x.is_attribute and x.value}
        return {n: FACTORY.sub(r"\1", str(x.value)) for n, x in fields.items()}
