#include "tools/serve/upload.h"

#include <utility>

#include "tools/serve/multipart.h"

namespace vgg19::server {

Upload::Upload(std::string body, std::string_view content_type, Reservation memory)
    : body_(std::move(body)), memory_(std::move(memory)) {
    const std::string_view file = is_form(content_type) ? file_of_form(body_, content_type) : body_;
    begin_ = static_cast<std::size_t>(file.data() - body_.data());
    size_ = file.size();
}

}  // namespace vgg19::server
