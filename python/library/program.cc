#include "python/library/program.h"

#include "tools/program.h"

namespace vgg19::python {

int program(int argc, char** argv) {
    return tools::program(argc, argv);
}

}  // namespace vgg19::python
