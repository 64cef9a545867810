message(FATAL_ERROR "the module of another project was taken")
