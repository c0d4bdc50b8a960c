#include "tidemark.h"

#include "marks.h"
#include "recorder.h"
#include "signals.h"
#include "tidemark/layout.h"

#include <errno.h>
#include <string.h>

TM_EXPORT int tidemark_mark(const char *name)
{
	int saved = errno;
	size_t length = name ? strlen(name) : 0;
	uint32_t number = 0;

	if (length <= TM_NAME_MAX && tm_recorder_is_on()) {
		number = tm_marks_bump(name, length, TM_MF_API);
		tm_signals_wake();
	}
	errno = saved;
	return number ? (int)number : -1;
}

TM_EXPORT const char *tidemark_version(void)
{
	return TIDEMARK_VERSION;
}
