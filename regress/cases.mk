# Makes a target run-NAME of each file NAME.sh that CASES or ROOT_CASES names; the latter need root. Those
# of BY_HAND do too, have their own names, and are no part of make regress.

CASES ?=
ROOT_CASES ?=
BY_HAND ?=

# what is tested: the installed programs
THREATSTOPD ?=		/usr/local/sbin/threatstopd
THREATSTOPCTL ?=	/usr/local/sbin/threatstopctl

# with what
NSD ?=			/usr/sbin/nsd
HTTPD ?=		/usr/sbin/httpd
PFCTL ?=		/sbin/pfctl
# the anchor of the cases in pf; those that send packets need a rule anchor "regress" in pf.conf
PF_ANCHOR ?=		regress
# routing domain and number of the pair(4) interfaces of the cases that send packets
RDOMAIN ?=		11
# the file of a package for rc/package to install and remove
PACKAGE ?=
# yes: the directory of a case is not removed
KEEP ?=			no

ENVIRONMENT =	THREATSTOPD=${THREATSTOPD} THREATSTOPCTL=${THREATSTOPCTL} NSD=${NSD} HTTPD=${HTTPD} \
		PFCTL=${PFCTL} PF_ANCHOR=${PF_ANCHOR} RDOMAIN=${RDOMAIN} \
		PACKAGE=${PACKAGE} KEEP=${KEEP}

.for case in ${CASES}
REGRESS_TARGETS +=	run-${case}
.PHONY:			run-${case}
run-${case}:
	@env ${ENVIRONMENT} sh ${.CURDIR}/${case}.sh
.endfor

.for case in ${ROOT_CASES}
REGRESS_TARGETS +=	run-${case}
REGRESS_ROOT_TARGETS +=	run-${case}
.PHONY:			run-${case}
run-${case}:
	@${SUDO} env ${ENVIRONMENT} sh ${.CURDIR}/${case}.sh
.endfor

.for case in ${BY_HAND}
.PHONY:			${case}
${case}:
	@${SUDO} env ${ENVIRONMENT} sh ${.CURDIR}/${case}.sh
.endfor
