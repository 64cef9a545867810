// Parses forms with a file (multipart/form-data, RFC 7578), as sent by browsers and curl -F.
#pragma once

#include <string>
#include <string_view>

namespace vgg19::server {

/// The content of the only file in `body`, a part of it. Names are ignored: the file is the part that has a
/// file name in its Content-Disposition, or the only part. Throws Problem (400).
std::string_view file_of_form(std::string_view body, std::string_view content_type);

/// Whether a body with that Content-Type is a form.
bool is_form(std::string_view content_type);

}  // namespace vgg19::server
