#include "tools/serve/upload.h"

#include <utility>

#include "tools/serve/multipart.h"

namespace vgg19::server {

Upload::Upload(std::string body, std::string content_type, Reservation memory)
    : body_(std::move(body)), content_type_(std::move(content_type)), memory_(std::move(memory)) {}

void Upload::find_file() {
    const std::string_view file = is_form(content_type_) ? file_of_form(body_, content_type_) : body_;
    begin_ = static_cast<std::size_t>(file.data() - body_.data());
    size_ = file.size();
}

}  // namespace vgg19::server
