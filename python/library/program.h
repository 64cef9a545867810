// The command-line tool in the package's library.
#pragma once

#pragma GCC visibility push(default)  // what the shared library exports

namespace vgg19::python {

/// The main() of the program vgg19 (tools/program.h).
int program(int argc, char** argv);

}  // namespace vgg19::python

#pragma GCC visibility pop
