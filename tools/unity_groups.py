"""Print which files can be compiled as one: a line for each, the number of its group and its path.

CMake's unity builds join files of a library. A name in the anonymous namespace of one, or one that it takes
by `using`, would be a redefinition in another, so a file joins the first group that is not full and shares no
name with it. Equal aliases and overloads are no redefinition.
"""

import pathlib
import re
import sys

FULL = 8  # files; more save little time and need more memory
NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|^#[^\n]*', re.DOTALL | re.M)
TEMPLATE = re.compile(r"^template\s*<[^<>]*(?:<[^<>]*>[^<>]*)*>\s*")
TYPE = re.compile(r"(?:struct|class|enum class|enum|union)\s+(\w+)")
USING = re.compile(r"^using (?:enum )?((?:\w+::)*(\w+)(?:\s*=.*)?)$")
VARIABLE = re.compile(r"(?:inline |static )*const(?:expr)? .*?\b(\w+)\s*(?:\[[^\]]*\]\s*)*(?:=|$)")
FUNCTION = re.compile(r"[\w:<>,&*\s\[\]]*?\b(\w+)\s*\((.*)\)(?:\s*(?:const|noexcept|->.*))?$")
PARAMETER = re.compile(r"(?<=[&*> ])\w+(?:\s*=.*)?$")  # its name and default


def declarations(text):
    """Yield what stands directly inside anonymous namespaces, without bodies."""
    text = NOISE.sub(" ", text)
    for begin in re.finditer(r"\bnamespace\s*\{", text):
        depth, item = 1, ""
        for character in text[begin.end() :]:
            depth += (character == "{") - (character == "}")
            if depth == 0:
                break
            if depth == 1 and character in ";}":
                yield " ".join(item.split())
                item = ""
            elif depth == 1:
                item += character


def name_and_meaning(declaration):
    """Return what a declaration names, and what another of that name must be equal to (None: to nothing)."""
    declaration = TEMPLATE.sub("", declaration)
    if found := USING.match(declaration):
        return found[2], found[1]
    if found := TYPE.match(declaration) or VARIABLE.match(declaration):
        return found[1], None
    if found := FUNCTION.match(declaration):
        types = [PARAMETER.sub("", one).strip() for one in found[2].split(",")]
        return f"{found[1]}({', '.join(types)})", None
    return None


def clash(own, names):
    """Tell whether one of a file's names is another thing among those of a group."""
    return any(name in names and (what is None or names[name] != what) for name, what in own.items())


def groups(paths):
    """Yield the number of a file's group and the file."""
    found = []  # of each group: names with their meanings, number of files
    for path in paths:
        own = dict(filter(None, map(name_and_meaning, declarations(path.read_text()))))
        open_groups = (i for i, (names, files) in enumerate(found) if files < FULL and not clash(own, names))
        number = next(open_groups, len(found))
        if number == len(found):
            found.append(({}, 0))
        names, files = found[number]
        found[number] = (names | own, files + 1)
        yield number, path


if __name__ == "__main__":
    for number, path in groups(map(pathlib.Path, sys.argv[1:])):
        print(f"{number}={path}")
