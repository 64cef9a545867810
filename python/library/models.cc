#include "python/library/models.h"

#include "converter/variants/variants.h"

namespace vgg19::python {

std::filesystem::path published_baseline() {
    return converter::published_baseline();
}

}  // namespace vgg19::python
