// The command-line tool as the package has it: the same program, whose code is in the package's library.
#include "python/library/program.h"

int main(int argc, char** argv) {
    return vgg19::python::program(argc, argv);
}
