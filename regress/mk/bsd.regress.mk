# For bmake(1) on other systems, which have no bsd.regress.mk(5): what ours needs of OpenBSD's.
# It differs in one thing: it goes on after a failure, and make(1) fails in the end.

.MAIN: regress

REGRESS_LOG ?=		/dev/null
REGRESS_FAIL_EARLY ?=	no
REGRESS_ROOT_TARGETS ?=
REGRESS_SKIP_TARGETS ?=
SUDO ?=

_UID !=			id -u
.if ${_UID} != 0 && empty(SUDO)
REGRESS_SKIP_TARGETS +=	${REGRESS_ROOT_TARGETS}
.endif

regress: .PHONY
	@failed=0; for target in ${REGRESS_TARGETS}; do \
		echo "==== $$target ===="; \
		case " ${REGRESS_SKIP_TARGETS} " in \
		*" $$target "*) \
			echo SKIPPED; \
			result=SKIP;; \
		*) \
			if ${MAKE} -C ${.CURDIR} $$target; then \
				result=SUCCESS; \
			else \
				echo FAILED; \
				result=FAIL failed=1; \
			fi;; \
		esac; \
		echo "$$result ${.CURDIR:T}/$${target#run-}" >>${REGRESS_LOG}; \
		echo; \
		case ${REGRESS_FAIL_EARLY}$$failed in \
		no* | *0) ;; \
		*) exit 1;; \
		esac; \
	done; exit $$failed

clean: .PHONY
	rm -f ${CLEANFILES}
