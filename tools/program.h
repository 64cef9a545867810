// The program vgg19: its subcommands, its help, and what it needs of the system.
#pragma once

namespace vgg19::tools {

/// main() of the program: argv[0] is its name, argv[1] the subcommand. Returns the exit code. Only for a
/// process that is this program: it takes standard streams and signals for it.
int program(int argc, char** argv);

}  // namespace vgg19::tools
