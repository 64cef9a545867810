#include "engine/image/progress.h"

#include "vgg19/error.h"

namespace vgg19 {

bool Progress::ask() noexcept {
    pixels_ = 0;
    try {
        is_stopped_ = is_cancelled_ && is_cancelled_();
    } catch (...) {
        thrown_ = std::current_exception();
        is_stopped_ = true;
    }
    return !is_stopped_;
}

void Progress::stop() const {
    if (thrown_) std::rethrow_exception(thrown_);
    throw Error(ErrorKind::cancelled, "decoding was cancelled");
}

}  // namespace vgg19
