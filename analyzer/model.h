/*
 * model.h - the recording's indices as the user knows them: types, lines, call stacks
 *
 * Texts are interned by content, so that a module loaded twice or a class made again is
 * one and the same here; compare text numbers, not indices.  To be made after the scan,
 * with the reader reloaded.  One thread.
 */
#ifndef TIDEMARK_MODEL_H
#define TIDEMARK_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "reader.h"

struct tm_model;

/* Frames of one stack that are looked at; only a damaged recording has more. */
#define TM_MODEL_MOST_FRAMES 1024u

/* Where a frame was.  Text numbers; line 0 = not known. */
struct tm_place {
	uint32_t file;
	uint32_t function;
	uint32_t line;
};

/* `reader` must outlive it and not be reloaded meanwhile. */
struct tm_model *tm_model_new(struct tm_reader *reader);
void tm_model_free(struct tm_model *model);

/* A text by its number; 0 is the empty one. */
struct tm_bytes tm_model_text(const struct tm_model *model, uint32_t text);

/* Texts there are: each number is smaller. */
uint32_t tm_model_texts(const struct tm_model *model);

/*
 * The name of what a word stands for: a type ("app.Session"), or "(buffer)", "(pending)",
 * "(unknown)".  Of a cell of growth, whose kind is GROWN: its owner's type, or "(buffer)".
 * Returns a text number.
 */
uint32_t tm_model_type(struct tm_model *model, uint64_t word);

/* The innermost frame of a site.  False when there is none. */
bool tm_model_place(struct tm_model *model, uint32_t site, struct tm_place *out);

/* Looks up all frames of a site, so that damage in them is known before a report is begun. */
void tm_model_resolve(struct tm_model *model, uint32_t site);

/* The caller's site; 0 = none kept. */
uint32_t tm_model_caller(struct tm_model *model, uint32_t site);

/* A number for the whole stack of a site: the same for stacks that read the same. */
uint32_t tm_model_stack(struct tm_model *model, uint32_t site);

/*
 * The module of a file, guessed from its path: the name without directories and ".py",
 * and a package's directory for its __init__.py.  Returns a text number.
 */
uint32_t tm_model_module(struct tm_model *model, uint32_t file);

#endif
