#include "python/extension/arguments.h"

#include "vgg19/error.h"

namespace vgg19::python {

void refuse_argument(const std::string& name, const char* expected, nb::handle found) {
    const std::string message =
        name + ": expected " + expected + ", found " + nb::cast<std::string>(nb::repr(found));
    if (nb::isinstance<nb::int_>(found) || nb::isinstance<nb::str>(found)) {
        throw Error(ErrorKind::usage, message);
    }
    throw nb::type_error(message.c_str());
}

}  // namespace vgg19::python
