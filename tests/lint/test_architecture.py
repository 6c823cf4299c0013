# SPDX-License-Identifier: Apache-2.0
"""The architecture lint notices what it is there to notice."""
import re
import tempfile
import unittest
from pathlib import Path

import architecture

SPDX = "// SPDX-License-Identifier: Apache-2.0\n"


class Architecture(unittest.TestCase):
    def breaches(self, path, text):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / path
            file.parent.mkdir(parents=True)
            file.write_text(text, encoding="utf-8")
            return architecture.check(Path(folder))

    def test_a_reversed_arrow_is_a_breach(self):
        self.assertEqual(self.breaches("src/fetch/x.cpp", SPDX + '#include "las/transaction/transaction.hpp"\n'),
                         ["src/fetch/x.cpp:2: room 'fetch' must not include from 'transaction'"])

    def test_an_arrow_along_the_way_is_none(self):
        self.assertEqual(self.breaches("src/transaction/x.cpp", SPDX + '#include "las/source/source.hpp"\n'), [])

    def test_a_library_in_a_foreign_room_is_a_breach(self):
        self.assertEqual(len(self.breaches("src/app/x.cpp", SPDX + "#include <lmdb.h>\n")), 1)

    def test_printing_below_cli_is_a_breach(self):
        self.assertEqual(len(self.breaches("src/app/x.cpp", SPDX + "void f() { std::cout << 1; }\n")), 1)
        self.assertEqual(self.breaches("src/cli/x.cpp", SPDX + "void f() { std::cout << 1; }\n"), [])

    def test_the_world_in_a_pure_room_is_a_breach(self):
        self.assertEqual(len(self.breaches("src/resolve/x.cpp", SPDX + "#include <unistd.h>\n")), 1)

    def test_a_product_name_is_a_breach(self):
        self.assertEqual(len(self.breaches("include/las/app/x.hpp", SPDX + "// starts vLLM\n")), 1)

    def test_a_file_without_licence_line_is_a_breach(self):
        self.assertEqual(len(self.breaches("src/base/x.cpp", "int x;\n")), 1)

    def test_an_empty_tree_is_a_breach(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(len(architecture.check(Path(folder))), 1)


class Findings(unittest.TestCase):
    def test_every_finding_has_a_meaning_in_the_manual_and_every_meaning_a_finding(self):
        root = Path(__file__).resolve().parents[2]
        used = set(re.findall(r'\{"([a-z]+-[a-z-]+)",', (root / "src/app/verify.cpp").read_text()))
        used |= set(re.findall(r'"(leftover|unit-disabled|unit-enabled)"', (root / "src/app/verify.cpp").read_text()))
        listed = set(re.findall(r'\{"([a-z-]+)", N_', (root / "src/app/finding_kinds.cpp").read_text()))
        self.assertEqual(used, listed)


if __name__ == "__main__":
    unittest.main()
