"""The phrases of questions for a way to a person, read as those of `phrases`: each stands for a whole clause.

They ask something that a company's articles may tell, such as a number or the hours in which somebody answers it.
"""

from __future__ import annotations

from conversations.intents.phrases import WHOM

_TO_REACH = (
    r"(?:reach|contact|call|phone|ring|telephone|email|e mail|mail|message|text|write to|ask for|get(?: through)? to"
    r"|get (?:hold|a hold|ahold) of|get (?:in touch|in contact|connected|through|an answer) (?:with|to|from)"
    r"|get transferred to|be (?:transferred|connected|put through) to|switch to|connect (?:to|with)|escalate (?:this )?to"
    r"|(?:talk|speak|chat|write)(?: (?:to|with))?|find)"
)
_YOU = rf"(?:you(?: guys| people| all)?|u|yall|{WHOM}|(?:the|your) (?:company|shop|store|office|help ?desk))"
_BY = (
    r"(?: (?:by|via|over|on|through|per|in) (?:the |a |my )?(?:phone|telephone|email|e mail|mail|chat|live chat|whatsapp"
    r"|person|post))?"
)
_WHEN = (
    r"(?: (?:directly|quickly|today|now|here|instead|back|tomorrow|please"
    r"|outside (?:of )?(?:business|office|opening) hours))*+"
)
_ABOUT = r"(?: (?:about|regarding|concerning|because of|for|with|if|when|in case) .{1,60}+)?"
_I = r"(?:i|we|one|people|you|customers)"
_LINE = (
    r"(?:(?:(?:phone|telephone|tel|contact|customer (?:service|support|care)|support|service|mobile|cell|whatsapp|direct"
    r"|help ?desk) )(?:phone )?(?:number|numbers|no|line)|hot ?line|help ?line|(?:support |service |contact |customer service )?"
    r"(?:email|e mail)(?: address)?|contact (?:details|information|info|data|form|address|person|page))"
)
_ANY = r"(?:(?:a|an|the|your|any|some) )?(?:(?:direct|toll free|free|general|working|support|customer) )?"

CONTACT = (
    rf"(?:and |so |but )?(?:how|where|when|on what number|at what time) (?:do|can|could|would|should|might|may|am) {_I}"
    rf"(?: (?:best|quickly|directly|actually|supposed to|please|just|even|able to))*+ {_TO_REACH} {_YOU}{_BY}{_WHEN}{_ABOUT}",
    rf"(?:how|where) to {_TO_REACH} {_YOU}{_BY}{_WHEN}{_ABOUT}",
    rf"whats? (?:is )?(?:the )?(?:best|fastest|easiest|quickest) way (?:for me )?(?:to|of) {_TO_REACH} {_YOU}{_BY}{_WHEN}",
    rf"is there (?:a|any|another) (?:way|number|phone number|possibility|chance)(?: for me)? (?:to|i can) {_TO_REACH} {_YOU}"
    rf"{_BY}{_WHEN}",
    rf"is there (?:{WHOM}|{_ANY}(?:number|phone number)) (?:that |who |whom )?(?:i|we)(?: (?:can|could|may))?"
    rf" (?:call|phone|ring|contact|reach|email|ask){_WHEN}{_ABOUT}",
    rf"(?:who|whom) (?:can|do|should|could|must|may) {_I} (?:contact|call|phone|ring|email|reach out to|turn to|write to"
    rf"|(?:talk|speak) to){_WHEN}{_ABOUT}",
    rf"(?:what|which) (?:phone |telephone )?number (?:can|do|should|could|must) {_I} (?:call|ring|phone|dial){_WHEN}{_ABOUT}",
    rf"(?:(?:can|could|will|would) (?:you|u|{WHOM})|(?:can|could) (?:i|we) have {WHOM}|please have {WHOM}) (?:please )?"
    rf"(?:call|phone|ring|telephone|email|text) (?:me|us)(?: up)?{_BY}{_WHEN}{_ABOUT}",
    rf"(?:i|we) (?:want|need|would like|would prefer) (?:you|{WHOM}) to (?:call|phone|ring|contact) (?:me|us)(?: up)?"
    rf"{_WHEN}{_ABOUT}",
    rf"(?:call|phone|ring) (?:me|us)(?: up)?(?: back)?{_WHEN}{_ABOUT}",
    r"(?:can i (?:get|have|request|ask for|book|arrange)|could i (?:get|have|request|ask for|book|arrange)"
    r"|(?:i|we) (?:want|need|would like)|id like|do you (?:offer|do|make)|is there)"
    rf" (?:a )?(?:call ?backs?|phone call){_WHEN}{_ABOUT}",
    rf"(?:(?:what|whats|where) (?:is|are|s)? ?|(?:do|did) (?:you|u) have |have you got |is there |(?:can|could|may) (?:i|we)"
    rf" (?:have|get) |give me |(?:i|we) (?:need|want|am looking for) |im looking for |where (?:can|do) (?:i|we) find )?"
    rf"{_ANY}{_LINE}(?: (?:(?:that |which )?(?:i|we) can (?:call|ring|phone|dial|use|write to|reach you (?:on|at)|email)|to call"
    rf"|for you|there))?{_WHEN}{_ABOUT}",
    rf"(?:contact|contacts|contact (?:us|you)|call ?back|(?:contact|reach|call|phone|email) {_YOU})",
    rf"(?:i|we) (?:cant|cannot|can not|couldnt|could not|am unable to|have tried to|tried to) (?:reach|contact|get hold of"
    rf"|get through to|call) (?:you|{WHOM}){_BY}{_WHEN}",
)

_WHOM_ZH = (
    "(?:人工客服|真人客服|在线客服|客服人员|人工服务|人工坐席|工作人员|客服中心|客服热线|客服部|售后客服|售后|人工|真人|客服|你们公司|你们店|你们|您们|您|你"
    "|贵公司|商家|店家|卖家|负责人|经理|专人)"
)
_HOW_ZH = (
    "(?:怎么样|怎么|怎样|如何|咋|在?哪里?(?:可以|能)?|在哪儿|去哪里?|从哪里?"
    "|通过什么(?:方式|渠道|途径)?|用什么方式|什么时候)"
)
_CAN_ZH = "(?:我|我们|要|想|该|应该|才能|才可以|可以|能够|能|去|来|直接|快速|才)*+"
_TO_REACH_ZH = (
    "(?:联系|联络|找到?|转到?|转接|接通|接入|打通|呼叫|咨询|切换到?|打(?:电话)?给|给"
    "|打电话(?:给|到)?|致电|跟|和|与|同)(?:到|上|一个|一位|个)?"
)
_LET_ZH = (
    "(?:能不能|可不可以|可否|能否|可以|能|请|麻烦|你们|您|你|让|叫|请|安排|派|有没有|有"
    "|人工|客服|专人|人|一个|一位|个|谁|要|想|希望|需要)*+"
)
_CALL_ZH = "(?:打个?电话|打一个电话|打电话|回个?电话|回电话|回电|回拨|来个?电话|来电|致电|通电话|电话联系|联系)"
_ME_ZH = "(?:我|我们|本人)"
CONTACT_ZH = (
    f"{_CAN_ZH}{_HOW_ZH}{_CAN_ZH}{_TO_REACH_ZH}{_WHOM_ZH}"
    "(?:客服|服务|的?电话|说话|聊|聊天|沟通|联系|通话|对话|打电话|取得联系|反映|咨询|呢)*+",
    f"{_WHOM_ZH}(?:的?电话)?(?:我)?{_HOW_ZH}{_CAN_ZH}(?:联系|联络|找|转|转接|接通|接入|打|打通|呼叫)(?:到|上|接|进去|你们|您)?(?:呢)?",
    f"{_HOW_ZH}{_CAN_ZH}(?:打|拨打)(?:通)?(?:客服|人工|你们的?|售后|服务)*+(?:电话|热线)",
    f"{_LET_ZH}(?:给|跟|和)?{_ME_ZH}?{_CALL_ZH}(?:一下)?(?:给)?{_ME_ZH}(?:一下)?(?:电话)?",
    f"{_LET_ZH}(?:给|跟|和){_ME_ZH}(?:打个?电话|打一个电话|打电话|回个?电话|回电话|回电|来个?电话|通电话)",
    "(?:我|我们)?(?:想要?|要|需要|希望|可以|能)(?:申请|预约|要求)?(?:电话回访|回电|回电话|电话回拨|电话联系|电话沟通)",
    "(?:你们|您们|公司|商家|店里|请问|有没有|有|给我|给个|给一?下|告诉我|我要|我想要|求|发一?下|留个)*+(?:的|一个|个|一下)?"
    "(?:人工客服|客服中心|客服|人工|服务|售后|售前|联系|投诉|官方|公司|商家)?(?:的)?"
    "(?:联系方式|联系电话|服务电话|客服电话|客服热线|客服微信|电话号码|热线电话|服务热线|客服邮箱|热线|邮箱地址|联系邮箱|人工电话|售后电话)"
    "(?:号码?)?(?:是|有|在)?(?:多少|什么|哪个|几号?|哪里|没有|没|给我|发我)*+",
    "(?:你们|您们|公司|商家|请问|客服|人工|售后)(?:的)?(?:电话|邮箱|微信|微信号|邮件地址|手机号)(?:号码?)?(?:是|有|在)?(?:多少|什么|哪个|几号?|没有|没)*+",
    "(?:你们|这里|这边|咱们|平台|现在|今天|请问)*+(?:有没有|有|还有|提供)(?:人工客服|真人客服|人工服务|在线客服|客服|人工|真人)"
    "(?:可以|能)?(?:聊|问|联系|咨询|帮忙|在线)?(?:没有)?",
    f"(?:找不到|联系不上|联系不到|打不通|找不着|转不了|转不到){_WHOM_ZH}(?:的?电话)?|{_WHOM_ZH}(?:的?电话)?(?:一直|总是|都|老是)?(?:联系不上|联系不到|打不通|找不到|打不进去)",
)
