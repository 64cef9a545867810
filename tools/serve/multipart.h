// A form with a file (multipart/form-data, RFC 7578), as browsers and curl -F send it.
#pragma once

#include <string>
#include <string_view>

namespace vgg19::server {

/// The content of the one file in `body`. Names of fields and files are not looked at: a part that names a
/// file in its Content-Disposition is the file, or the only part is. Throws Problem (400).
std::string file_of_form(std::string_view body, std::string_view content_type);

/// Whether the body of that Content-Type is a form.
bool is_form(std::string_view content_type);

}  // namespace vgg19::server
