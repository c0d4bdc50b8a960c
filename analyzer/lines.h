/*
 * lines.h - from an instruction to its source line, by the interpreter's own table
 */
#ifndef TIDEMARK_LINES_H
#define TIDEMARK_LINES_H

#include <stddef.h>
#include <stdint.h>

#include <tidemark/layout.h>

/*
 * tm_lines_find - the line of an instruction
 * @format:     how @table is to be read
 * @table:      the code object's raw line table, @size bytes; may hold anything
 * @first_line: the code object's first line
 * @offset:     of the instruction, bytes from the start of the bytecode
 *
 * An instruction that belongs to no line (the interpreter's own bookkeeping) has that of
 * the nearest one before it, or the first line.  Returns 0 when no line is known: no
 * table, an offset outside it, or a table that leads to lines that cannot be.
 */
uint32_t tm_lines_find(enum tm_line_format format, const void *table, size_t size,
		       int32_t first_line, uint32_t offset);

#endif
