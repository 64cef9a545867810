// vgg19 <subcommand>
#include "tools/program.h"

int main(int argc, char** argv) {
    return vgg19::tools::program(argc, argv);
}
