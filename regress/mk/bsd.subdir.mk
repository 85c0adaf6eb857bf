# For bmake(1) on other systems, where bsd.subdir.mk knows no regress: what ours needs of OpenBSD's.

.MAIN: regress

regress clean: .PHONY
	@status=0; for dir in ${SUBDIR}; do \
		echo "===> $$dir"; \
		${MAKE} -C ${.CURDIR}/$$dir ${.TARGET} || status=1; \
	done; exit $$status
