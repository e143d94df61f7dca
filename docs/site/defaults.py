"""A griffe extension that shows each parameter's own default if a docstring groups parameters."""

import re

import griffe

FACTORY = re.compile(r"^field\(default_factory=lambda: (.*)\)$")


class Defaults(griffe.Extension):
    """Set the default of every parameter; griffe shows the first parameter's for the group."""

    def on_package(self, *, pkg, **_):
        """Set the defaults after griffe has loaded the package, including its dataclasses."""
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
        vars(thing.docstring)["parsed"] = sections  # griffe's cache of parsed sections

    def _defaults(self, thing):
        """Return the defaults of a function's parameters, or of a dataclass's fields, by name."""
        if thing.is_function:
            return {parameter.name: parameter.default for parameter in thing.parameters}
        fields = {n: x for n, x in thing.all_members.items() if x.is_attribute and x.value}
        return {n: FACTORY.sub(r"\1", str(x.value)) for n, x in fields.items()}
