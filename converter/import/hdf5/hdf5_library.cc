#include "converter/import/hdf5/hdf5_library.h"

#include <dlfcn.h>

namespace vgg19::converter {

void* Hdf5Library::load() {
    void* const library = dlopen(VGG19_HDF5_FILE, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) problem_ = std::string(VGG19_HDF5_FILE) + " is not there";
    return library;
}

void* Hdf5Library::symbol(const char* name) {
    if (library_ == nullptr) return nullptr;
    void* const found = dlsym(library_, name);
    if (found == nullptr) problem_ = std::string(VGG19_HDF5_FILE) + " has no " + name;
    return found;
}

}  // namespace vgg19::converter
