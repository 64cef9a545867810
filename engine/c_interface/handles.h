// What the C interface's handles hold.
#pragma once

#include <memory>
#include <memory_resource>

#include "vgg19/vgg19.h"
#include "vgg19/vgg19.hpp"

struct vgg19_model {
    vgg19::Model model;
};

struct vgg19_session {
    std::unique_ptr<std::pmr::memory_resource> workspace;  ///< outlives the session, which uses it
    vgg19::Session session;
};
