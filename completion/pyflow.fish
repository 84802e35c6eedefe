# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of pyflow's command line for fish.

function __pyflow_has_dashes
    contains -- -- (commandline -opc)
end

# Complete the command behind -- as if it stood alone.
function __pyflow_complete_command
    set -l words (commandline -opc)
    set -e words[1..(contains -i -- -- $words)]
    set -l line (string escape -- $words | string join ' ') (commandline -ct)
    complete -C "$line"
end

# Is the word one of a list that an option began: files, funcs or list?
function __pyflow_in
    __pyflow_has_dashes && return 1
    for word in (commandline -opc)[-1..2]
        switch $word
            case '-f*' --files '--files=*' --exclude-files '--exclude-files=*'
                test $argv[1] = files
                return
            case '-F*' --funcs '--funcs=*' --exclude-funcs '--exclude-funcs=*' --start-at '--start-at=*'
                test $argv[1] = funcs
                return
            case --list
                test $argv[1] = list
                return
            case '-*'
                return 1
        end
    end
    return 1
end

# Processes and their command lines: those whose program or command name says that they are Pythons,
# or all if there is none.
function __pyflow_pids
    set -l pythons
    set -l others
    for dir in (string match -r '^/proc/\d+$' -- /proc/*)
        set -l name (cat $dir/comm 2>/dev/null) || continue
        set -l exe (readlink $dir/exe 2>/dev/null | string replace -r '.*/' '')
        set -l args (tr -c '[:print:]' ' ' <$dir/cmdline 2>/dev/null) || continue
        set -l line (string replace /proc/ '' $dir)\t(string sub -l 60 -- "$args")
        if string match -qi '*python*' -- "$name" "$exe"
            set -a pythons $line
        else if test -n "$args"
            set -a others $line
        end
    end
    set -q pythons[1] || set pythons $others
    string join \n -- $pythons
end

# What is typed of an option's value.
function __pyflow_value
    commandline -ct | string replace -r '^(--[a-z-]+=|-[a-zA-Z](?!-))' ''
end

# The last one of a list with commas. Arguments: a function that prints what it can be.
function __pyflow_list
    set -l before (__pyflow_value | string match -r '^.*,'; or echo '')
    printf '%s\n' $before($argv)
end

# The columns that are not in the list yet.
function __pyflow_columns
    set -l before (__pyflow_value | string split ,)[1..-2]
    for column in time cpu pid tid task duration
        contains -- $column $before; or echo $column
    end
    set -q before[1]; or echo none
end

# FORMAT:, or the files behind it.
function __pyflow_outputs
    set -l value (__pyflow_value)
    set -l format (string match -r '^(?:text|graph|json|chrome|folded|summary):' -- $value)
    if set -q format[1]
        printf '%s\n' $format(__fish_complete_path (string replace -r '^[a-z]*:' '' -- $value))
    else
        printf '%s:\tformat of the file\n' text graph json chrome folded summary
    end
end

# USER, or USER: and a group.
function __pyflow_users
    set -l user (__pyflow_value | string match -r '^.*:')
    if set -q user[1]
        printf '%s\n' $user(__fish_complete_groups)
    else
        __fish_complete_users
    end
end

# perf pyflow is the same program: its file is a link to this one.
for program in pyflow perf-pyflow
    complete -c $program -f
    complete -c $program -n __pyflow_has_dashes -a '(__pyflow_complete_command)'
    complete -c $program -n '__pyflow_in files' -F
    complete -c $program -n '__pyflow_in list' -F -a '(__pyflow_pids)'

    # What to trace
    complete -c $program -s p -l pid -x -a '(__pyflow_list __pyflow_pids)' -d 'Trace these running processes'
    complete -c $program -s c -l cmd -x -a '(__fish_complete_command)' -d 'Start this command and trace it'
    complete -c $program -l no-inherit -d 'Not the processes that it starts'

    # Which functions
    complete -c $program -s f -l files -r -F -d 'Only functions of these files'
    complete -c $program -s F -l funcs -x -d 'Only these functions'
    complete -c $program -l exclude-files -r -F -d 'No functions of these files'
    complete -c $program -l exclude-funcs -x -d 'Not these functions'
    complete -c $program -l only -x -a user -d 'No functions of the standard library or of packages'

    # Which calls
    complete -c $program -l start-at -x -d 'Only calls of these functions and what happens below'
    complete -c $program -l max-depth -x -d 'At most so many levels of calls'
    complete -c $program -l min-duration -x -d 'Only calls that took so long: 10us, 1.5ms, 2s'

    # How
    complete -c $program -l probes -x -a 'auto sdt eval' -d 'Which probes'
    complete -c $program -l list -d 'Trace nothing, say how interpreters can be traced'
    complete -c $program -l on-full -x -a 'stop drop' -d 'What to do when events come too fast'
    complete -c $program -s m -l mmap-pages -x -d 'Size of the buffer'
    complete -c $program -l fail-on-lost -d 'Exit with 125 if an event was lost'

    # The command
    complete -c $program -s u -l user -x -a '(__pyflow_users)' -d 'Run the command as this user'
    complete -c $program -s t -l tmp-dir -x -a '(__fish_complete_directories (__pyflow_value))' \
        -d 'Where the launch script goes'

    # Output
    complete -c $program -s o -l output -r -F -a '(__pyflow_outputs)' -d 'Write the trace to this file'
    complete -c $program -l format -x -a 'text graph json chrome folded summary' -d 'Format of every output'
    complete -c $program -l max-size -x -d 'End the trace before a file gets larger'
    complete -c $program -l rotate -x -d 'Go on in a new file, and keep so many'
    complete -c $program -l last -x -d 'Keep only the last events'
    complete -c $program -s q -l quiet -d 'Say only what went wrong'
    complete -c $program -s v -l verbose -d 'Say more'

    # What it looks like
    complete -c $program -l columns -x -a '(__pyflow_list __pyflow_columns)' -d 'What stands in front'
    complete -c $program -l duration -d 'One more column, how long each call took'
    complete -c $program -l time -x -a 'wall relative delta' -d 'Which time'
    complete -c $program -l color -x -a 'auto always never' -d Colors
    complete -c $program -l qualname -d 'Print qualified names'
    complete -c $program -l folded -x -a 'time calls' -d 'What folded stacks count'
    complete -c $program -l sort -x -a 'total self calls average min max name' -d 'Order of the summary'
    complete -c $program -l callers -d 'In the summary, who called each function'

    complete -c $program -s '?' -l help -d 'List the options'
    complete -c $program -l usage -d 'List the options, shortly'
    complete -c $program -s V -l version -d 'Print the version'
end
