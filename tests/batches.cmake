# SPDX-License-Identifier: BSL-1.0
# Compiles several files as one, in a quarter of the time, since what all of them instantiate is instantiated once. Each lies in a
# namespace of its own, so that their names do not meet; what they include is included before.
set(HEALTHZ_BATCH 6 CACHE STRING "How many files of tests are compiled as one; 1 is the fastest where one file is changed again and again")

# in_batches(RESULT NAME FILE...) : sets RESULT to what to compile instead of the files
function(in_batches result name)
    if(HEALTHZ_BATCH LESS_EQUAL 1)
        set(${result} ${ARGN} PARENT_SCOPE)
        return()
    endif()
    set(sources)
    list(LENGTH ARGN count)
    math(EXPR batches "(${count} + ${HEALTHZ_BATCH} - 1) / ${HEALTHZ_BATCH}")
    foreach(number RANGE 1 ${batches})
        math(EXPR begin "${count} * (${number} - 1) / ${batches}") # all about the same size
        math(EXPR size "${count} * ${number} / ${batches} - ${begin}")
        list(SUBLIST ARGN ${begin} ${size} batch)
        set(includes)
        set(bodies)
        foreach(file IN LISTS batch)
            cmake_path(ABSOLUTE_PATH file)
            cmake_path(GET file PARENT_PATH folder)
            cmake_path(GET file STEM stem)
            file(STRINGS ${file} lines REGEX "^#include ")
            foreach(line IN LISTS lines)
                if(line MATCHES "\"(.*)\"") # which is looked for beside the file
                    cmake_path(SET path NORMALIZE ${folder}/${CMAKE_MATCH_1})
                    set(line "#include \"${path}\"")
                endif()
                list(APPEND includes "${line}")
            endforeach()
            string(APPEND bodies "namespace of_${stem} {\n#include \"${file}\"\n}\n")
        endforeach()
        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${batch}) # since what they include is written here
        list(REMOVE_DUPLICATES includes)
        list(JOIN includes "\n" includes)
        set(source ${CMAKE_CURRENT_BINARY_DIR}/batches/${name}_${number}.cpp)
        file(CONFIGURE OUTPUT ${source} CONTENT "${includes}\n${bodies}" @ONLY)
        list(APPEND sources ${source})
    endforeach()
    set(${result} ${sources} PARENT_SCOPE)
endfunction()
